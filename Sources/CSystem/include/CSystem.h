// What threads need of the processor and the operating system, and Swift cannot say.
#pragma once

// Tells the processor that this is a loop that waits.
static inline __attribute__((always_inline, unused)) void cs_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// The processors that this process may run on.
int cs_available_cores(void);
