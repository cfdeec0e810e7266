"""How does a submission become issued flags? One transaction, whatever it says."""
