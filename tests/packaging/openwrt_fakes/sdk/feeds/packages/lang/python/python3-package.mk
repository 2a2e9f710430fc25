define Python3/Run
	cd "$(if $(strip $(1)),$(strip $(1)),.)" && $(3) $(HOST_PYTHON3_BIN) $(2)
endef
