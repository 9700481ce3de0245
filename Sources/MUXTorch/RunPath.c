// SPDX-License-Identifier: Apache-2.0
// The build tool does not pass a run path from a .pc file to the linker. Options in this section
// reach it with Swift's own automatic linking, so that no one has to set LD_LIBRARY_PATH.
#if defined(__ELF__)
__attribute__((used, retain, section(".swift1_autolink_entries"))) static const char run_path[] =
    "-Wl,-rpath," CT_RPATH;
#endif
typedef int ct_translation_unit_is_not_empty;
