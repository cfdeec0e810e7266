"""How is it put together and started? Settings, files and threads meet here alone."""
