void test_anchor(void);
void test_anchor(void) {}
