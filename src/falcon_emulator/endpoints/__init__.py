"""The API's endpoints.

Each handler takes the tenant, the call and the token, and returns an answer or raises ApiError.
"""
