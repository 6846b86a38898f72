"""Who asks for tokens: Octobatch and others behind one protocol, each in processes of its own."""
