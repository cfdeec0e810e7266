"""How is it put together and started? Settings, files and threads meet here and nowhere below."""
