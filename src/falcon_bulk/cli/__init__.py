"""The command line: a Click group, one file per command. Commands are loaded only when called."""
