"""Messages to people, by whatever service Apprise knows."""

from evidenced.notify.messenger import AppriseMessenger, Receiver

__all__ = ["AppriseMessenger", "Receiver"]
