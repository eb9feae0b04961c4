# cmake -DFOLDER=<rules> -DNAMES=a,b,... -DPLANS=<plans.toml> -DOUT=<file.cpp> -P embed_rules.cmake
# Each file of NAMES becomes one entry of kShippedRules, in their order; kShippedDigest is of all their texts. PLANS becomes
# kShippedWarmupPlans.
string(REPLACE "," ";" names "${NAMES}")
set(code "// Made by embed_rules.cmake from rules/*.toml and warmup/plans.toml.\n#include \"engine/policy/shipped_rules.h\"\n\nnamespace penguin::policy {\n")
string(APPEND code "\nnamespace {\n\nconstexpr ShippedRules kFiles[] = {\n")
foreach(name IN LISTS names)
  file(READ "${FOLDER}/${name}.toml" text)
  string(APPEND all "${text}")
  string(APPEND code "{\"${name}.toml\", R\"toml(${text})toml\"},\n")
endforeach()
file(READ "${PLANS}" plans)
string(APPEND code "};\n\n} // namespace\n\nconst std::span<const ShippedRules> kShippedRules{kFiles};\n")
string(SHA256 digest "${all}")
string(SUBSTRING ${digest} 0 12 digest)
string(APPEND code "const std::string_view kShippedDigest = \"${digest}\";\n")
string(APPEND code "const ShippedRules kShippedWarmupPlans{\"plans.toml\", R\"toml(${plans})toml\"};\n\n} // namespace penguin::policy\n")
file(WRITE "${OUT}" "${code}")
