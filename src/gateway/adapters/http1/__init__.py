"""Our own HTTP/1.1 client: one request at a time on connections that are kept alive."""
