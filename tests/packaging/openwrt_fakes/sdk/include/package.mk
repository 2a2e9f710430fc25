define Download
  $(eval $(Download/$(1)))
  DOWNLOADED += $(URL)/$(FILE)|$(HASH)
endef

# "make prepare", "make install" and "make show" run what the build system would, in the end.
define BuildPackage
  $(eval $(Package/$(1)))

prepare:
	$$(Build/Prepare)

install:
	$$(call Package/$(1)/install,$(DESTDIR))

show:
	@echo 'version $(PKG_VERSION)'
	@echo 'source $(PKG_SOURCE_URL)/$(PKG_SOURCE)|$(PKG_HASH)'
	@echo 'depends $$(DEPENDS)'
	@echo 'user $$(USERID)'
	@$$(foreach one,$$(DOWNLOADED),echo 'source $$(one)';)
	@$$(foreach one,$$(BUMPER_VENDORED),echo 'vendored $$(one)';)
	@echo 'conffiles $$(Package/$(1)/conffiles)'
	@echo 'tree $$(BUMPER_TREE)'
	$$(file >$(OUT)/prerm,$$(Package/$(1)/prerm))
endef
