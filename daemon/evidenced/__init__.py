"""Turns alarms on MQTT into exported video evidence from a VDG Sense recorder."""
