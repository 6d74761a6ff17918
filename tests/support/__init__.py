"""What tests share: one provider, one API stand-in, one home, one certificate maker, one App of fakes."""
