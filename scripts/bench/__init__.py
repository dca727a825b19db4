"""How fast is the framework: against a plain-PyTorch loop, against its peers, against the machine's own peak?"""
