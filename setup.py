"""How bumper_tw is packed and what it needs."""

from pathlib import Path
from runpy import run_path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = run_path(str(HERE / "bumper_tw" / "__init__.py"))["__version__"]

TEST = ["hypothesis"]
INTEROP = ["amqtt>=0.11.4", "gmqtt>=0.7", "paho-mqtt>=2", "slixmpp>=1.8"]
DEV = ["mypy>=1.15", "mypy-zope>=1.0.11", "ruff", "tox"]

setup(
    name="bumper_tw",
    version=VERSION,
    description="A network appliance that takes the place of the Ecovacs cloud",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="MIT",
    python_requires=">=3.11",
    # The drop-in lives in Twisted's plug-in name space, which has no __init__.py.
    packages=[*find_packages(include=["bumper_tw", "bumper_tw.*"]), "twisted.plugins"],
    package_data={"bumper_tw": ["py.typed", "*/data/*", "*/data/*/*", "storage/sql/*.sql"]},
    install_requires=[
        # 24.7 is the first release without the known pipelining and redirect flaws.
        "twisted[tls]>=24.7",
        "klein>=24.8",
        "pyjwt>=2.6",
        "attrs>=22.2",
        "cryptography>=38",
        "segno>=1.4",
        # Loaded only where metrics.serve is on.
        "prometheus-client>=0.16",
    ],
    extras_require={"test": TEST, "interop": INTEROP, "dev": DEV + TEST},
    entry_points={"console_scripts": ["bumper = bumper_tw.app.cli:main"]},
    classifiers=[
        "Framework :: Twisted",
        "License :: OSI Approved :: MIT License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Home Automation",
    ],
)
