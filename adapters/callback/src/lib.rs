//! Web callback: calls placed to customers. The driver `desk` shows them on an adviser's screen.
