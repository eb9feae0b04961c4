/* Preloaded into a node whose wall clock is to be wrong: what tells the date is FAULTS_CLOCK_OFFSET_S seconds off, what
   measures time (CLOCK_MONOTONIC, CLOCK_BOOTTIME) is right, as on a machine that somebody set wrongly. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t offset(void)
{
    static time_t kept;
    static int known;
    if (!known) {
        const char* text = getenv("FAULTS_CLOCK_OFFSET_S");
        kept = text ? (time_t)atol(text) : 0;
        known = 1;
    }
    return kept;
}

int clock_gettime(clockid_t clock, struct timespec* out)
{
    static int (*real)(clockid_t, struct timespec*);
    if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    const int failed = real(clock, out);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) out->tv_sec += offset();
    return failed;
}

time_t time(time_t* out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
