//! A morning at the desk, with the real service, a real recording and a real browser.
