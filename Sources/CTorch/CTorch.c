// SPDX-License-Identifier: Apache-2.0
// libtorch takes 0.2 s and 100 MB to load, and most commands never need it. So it is not linked: the library
// MUXTorch has the code of this module and links libtorch, and is opened when one of the functions is called.
//
// Each function has a stub here, which jumps to the address in a slot. At first that is a few instructions
// that open the library, fill all slots and go on to the function: what a loader does for functions that it
// binds at their first call. Stubs are weak: where MUXTorch is linked (it is in the products MUXTensor and
// MUXTraining), its functions take their place and nothing is opened.
#include "CTorch.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

#if defined(__APPLE__)
#define CT_LIBRARY "libMUXTorch.dylib"
#define CT_SYMBOL(name) "_" name
#define CT_HIDDEN(name) ".private_extern " name "\n"
#define CT_WEAK(name) ".globl " name "\n" CT_HIDDEN(name) ".weak_definition " name "\n"
#define CT_DATA ".section __DATA,__data\n"
#define CT_CODE ".section __TEXT,__text,regular,pure_instructions\n"
#else
#define CT_LIBRARY "libMUXTorch.so"
#define CT_SYMBOL(name) name
#define CT_HIDDEN(name) ".hidden " name "\n"
#define CT_WEAK(name) ".weak " name "\n" CT_HIDDEN(name) ".type " name ", %function\n"
#define CT_DATA ".data\n"
#define CT_CODE ".text\n"
#endif

// Where the slot of a function lies, what it holds at first, and the place where all of those meet.
#define CT_SLOT(name) CT_SYMBOL("ct_slot_" name)
#define CT_FIRST(name) CT_SYMBOL("ct_first_" name)
#define CT_RESOLVE CT_SYMBOL("ct_resolve")

// clang-format off
// The slot, and the function's label, a second time by a name that nothing takes the place of.
#define CT_HEAD(name)                                                \
  CT_DATA ".p2align 3\n"                                             \
  ".globl " CT_SLOT(name) "\n" CT_HIDDEN(CT_SLOT(name))              \
  CT_SLOT(name) ":\n"                                                \
  ".quad " CT_FIRST(name) "\n"                                       \
  CT_CODE ".p2align 4\n"                                             \
  ".globl " CT_SYMBOL("ct_stub_" name) "\n"                          \
  CT_HIDDEN(CT_SYMBOL("ct_stub_" name))                              \
  CT_WEAK(CT_SYMBOL(name))                                           \
  CT_SYMBOL(name) ":\n"                                              \
  CT_SYMBOL("ct_stub_" name) ":\n"

#if defined(__x86_64__)
#define CT_HAS_STUBS 1
// The slot's address goes in r11, which no call passes anything in.
#define CT_STUB(name)                              \
  __asm__(CT_HEAD(#name)                           \
          "jmp *" CT_SLOT(#name) "(%rip)\n"        \
          CT_FIRST(#name) ":\n"                    \
          "leaq " CT_SLOT(#name) "(%rip), %r11\n"  \
          "jmp " CT_RESOLVE "\n");
CT_FUNCTIONS(CT_STUB)
// Keeps what arguments are passed in. On entry the stack is 8 bytes off a multiple of 16.
__asm__(CT_CODE ".p2align 4\n" CT_RESOLVE ":\n"
        "subq $200, %rsp\n"
        "movq %rdi, 128(%rsp)\n movq %rsi, 136(%rsp)\n movq %rdx, 144(%rsp)\n movq %rcx, 152(%rsp)\n"
        "movq %r8, 160(%rsp)\n movq %r9, 168(%rsp)\n movq %r11, 176(%rsp)\n"
        "movups %xmm0, (%rsp)\n movups %xmm1, 16(%rsp)\n movups %xmm2, 32(%rsp)\n movups %xmm3, 48(%rsp)\n"
        "movups %xmm4, 64(%rsp)\n movups %xmm5, 80(%rsp)\n movups %xmm6, 96(%rsp)\n movups %xmm7, 112(%rsp)\n"
        "call " CT_SYMBOL("ct_open") "\n"
        "movups (%rsp), %xmm0\n movups 16(%rsp), %xmm1\n movups 32(%rsp), %xmm2\n movups 48(%rsp), %xmm3\n"
        "movups 64(%rsp), %xmm4\n movups 80(%rsp), %xmm5\n movups 96(%rsp), %xmm6\n movups 112(%rsp), %xmm7\n"
        "movq 128(%rsp), %rdi\n movq 136(%rsp), %rsi\n movq 144(%rsp), %rdx\n movq 152(%rsp), %rcx\n"
        "movq 160(%rsp), %r8\n movq 168(%rsp), %r9\n movq 176(%rsp), %r11\n"
        "addq $200, %rsp\n"
        "jmp *(%r11)\n");
#elif defined(__aarch64__)
#define CT_HAS_STUBS 1
#if defined(__APPLE__)
#define CT_PAGE(name) name "@PAGE"
#define CT_OFFSET(name) name "@PAGEOFF"
#else
#define CT_PAGE(name) name
#define CT_OFFSET(name) ":lo12:" name
#endif
// The slot's address goes in x17, which no call passes anything in.
#define CT_STUB(name)                                           \
  __asm__(CT_HEAD(#name)                                        \
          "adrp x16, " CT_PAGE(CT_SLOT(#name)) "\n"             \
          "ldr x16, [x16, " CT_OFFSET(CT_SLOT(#name)) "]\n"     \
          "br x16\n"                                            \
          CT_FIRST(#name) ":\n"                                 \
          "adrp x17, " CT_PAGE(CT_SLOT(#name)) "\n"             \
          "add x17, x17, " CT_OFFSET(CT_SLOT(#name)) "\n"       \
          "b " CT_RESOLVE "\n");
CT_FUNCTIONS(CT_STUB)
// Keeps what arguments, and the place for a result, are passed in.
__asm__(CT_CODE ".p2align 4\n" CT_RESOLVE ":\n"
        "stp x29, x30, [sp, #-224]!\n"
        "mov x29, sp\n"
        "stp x0, x1, [sp, #16]\n stp x2, x3, [sp, #32]\n stp x4, x5, [sp, #48]\n stp x6, x7, [sp, #64]\n"
        "stp x8, x17, [sp, #80]\n"
        "stp q0, q1, [sp, #96]\n stp q2, q3, [sp, #128]\n stp q4, q5, [sp, #160]\n stp q6, q7, [sp, #192]\n"
        "bl " CT_SYMBOL("ct_open") "\n"
        "ldp x0, x1, [sp, #16]\n ldp x2, x3, [sp, #32]\n ldp x4, x5, [sp, #48]\n ldp x6, x7, [sp, #64]\n"
        "ldp x8, x17, [sp, #80]\n"
        "ldp q0, q1, [sp, #96]\n ldp q2, q3, [sp, #128]\n ldp q4, q5, [sp, #160]\n ldp q6, q7, [sp, #192]\n"
        "ldp x29, x30, [sp], #224\n"
        "ldr x16, [x17]\n"
        "br x16\n");
#endif
// clang-format on

#if CT_HAS_STUBS
__attribute__((used)) void ct_open(void);

#define CT_DECLARE_SLOT(name) extern void *ct_slot_##name __attribute__((visibility("hidden")));
CT_FUNCTIONS(CT_DECLARE_SLOT)
#define CT_SLOT_ADDRESS(name) &ct_slot_##name,
static void **const slots[] = {CT_FUNCTIONS(CT_SLOT_ADDRESS)};

/// The folder of the program that runs, with a slash; empty where the system does not say.
static void program_folder(char *folder, size_t capacity) {
  folder[0] = 0;
#if defined(__APPLE__)
  uint32_t size = (uint32_t)capacity;
  if (_NSGetExecutablePath(folder, &size) != 0) folder[0] = 0;
#else
  const ssize_t length = readlink("/proc/self/exe", folder, capacity - 1);
  folder[length > 0 ? length : 0] = 0;
#endif
  char *end = strrchr(folder, '/');
  if (end) end[1] = 0;
}

/// Where the library may be: beside the program, where this package was built, where the loader looks.
static void *open_library(char *reason, size_t capacity) {
  char folder[PATH_MAX], path[PATH_MAX + sizeof CT_LIBRARY];
  program_folder(folder, sizeof folder);
  const char *const folders[] = {folder, CT_PACKAGE "/.build/release/", CT_PACKAGE "/.build/debug/",
                                 ""};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; ++i) {
    const int is_named = *folders[i] != 0;
    if (!is_named && i == 0) continue;
    snprintf(path, sizeof path, "%s%s", folders[i], CT_LIBRARY);
    if (is_named && access(path, F_OK) != 0) continue;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
    snprintf(reason, capacity, "%s", dlerror());
    if (is_named) return NULL;  // it is there and does not open: that is to be told
  }
  snprintf(reason, capacity, "%s is neither beside the program nor in %s/.build/release",
           CT_LIBRARY, CT_PACKAGE);
  return NULL;
}

/// Empty once the library is open.
static char absence[1024];

static void open_once(void) {
  void *opened = open_library(absence, sizeof absence);
  const ct_library *library = opened ? dlsym(opened, "mux_torch_library") : NULL;
  if (opened && (!library || strcmp(library->names, CT_FUNCTION_NAMES) != 0)) {
    snprintf(absence, sizeof absence, "%s is of another version than the program", CT_LIBRARY);
    return;
  }
  if (!library) return;
  for (size_t i = 0; i < sizeof slots / sizeof *slots; ++i) *slots[i] = library->functions[i];
  absence[0] = 0;
}

extern char ct_stub_ct_release __attribute__((visibility("hidden")));

static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *ct_absence(void) {
  // Volatile, since the compiler takes a function and a variable for two places.
  const void *volatile called = (const void *)&ct_release, *volatile stub = &ct_stub_ct_release;
  if (called != stub) return NULL;  // linked
  pthread_once(&once, open_once);
  return absence[0] ? absence : NULL;
}

void ct_open(void) {
  pthread_once(&once, open_once);
  if (!absence[0]) return;
  // As the loader would have ended the program at its start.
  fflush(stdout);
  fprintf(stderr, "error: cannot load libtorch: %s (make build builds it)\n", absence);
  _exit(1);
}
#else
// Only with the library linked.
const char *ct_absence(void) { return NULL; }
#endif
