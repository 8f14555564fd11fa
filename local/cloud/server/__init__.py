"""How the local cloud is reached: host names, TLS, the proxy, requests and answers."""
