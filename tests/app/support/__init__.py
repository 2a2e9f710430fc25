"""Tests for L{bumper_tw.app.support}."""
