"""What a connection may cost before anybody knows who calls."""
