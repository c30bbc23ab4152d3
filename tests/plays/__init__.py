"""Playbooks of the collection, run by the real ansible-playbook on made-up hosts: a folder each that stands for /."""
