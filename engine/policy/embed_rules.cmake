# cmake -DFOLDER=<rules> -DNAMES=a,b,... -DOUT=<file.cpp> -P embed_rules.cmake
# Each file becomes one entry of kShippedRules, in the order of NAMES.
string(REPLACE "," ";" names "${NAMES}")
set(code "// Made by embed_rules.cmake from rules/*.toml.\n#include \"engine/policy/shipped_rules.h\"\n\nnamespace penguin::policy {\n")
string(APPEND code "\nnamespace {\n\nconstexpr ShippedRules kFiles[] = {\n")
foreach(name IN LISTS names)
  file(READ "${FOLDER}/${name}.toml" text)
  string(APPEND code "{\"${name}.toml\", R\"toml(${text})toml\"},\n")
endforeach()
string(APPEND code "};\n\n} // namespace\n\nconst std::span<const ShippedRules> kShippedRules{kFiles};\n\n} // namespace penguin::policy\n")
file(WRITE "${OUT}" "${code}")
