/** Execution domains of personality(2) (linux/personality.h). */
export const PER_LINUX = 0;
export const PER_LINUX32 = 8;
