# What the build system gives to a package, as far as ours needs it.
INCLUDE_DIR := $(TOPDIR)/include
BUILD_DIR := $(OUT)/build
DL_DIR := $(OUT)/dl
CP := cp -fpR
INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_DATA := install -m0644
INSTALL_CONF := install -m0600
define newline


endef
