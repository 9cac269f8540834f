"""Our own HTTP/1.1 client: one POST at a time on connections that are kept alive."""
