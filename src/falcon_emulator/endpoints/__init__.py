"""The API's endpoints.

Each takes the tenant, the call and the token, and returns an answer or raises ApiError.
"""
