"""One file a source, each a pure function: payload -> [IncomingAlert]."""
