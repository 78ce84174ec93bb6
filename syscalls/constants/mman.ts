/** madvise(2) advice. */
export const MADV_DOFORK = 0xb;
export const MADV_DONTFORK = 0xa;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_PRIVATE = 2;
export const MAP_ANONYMOUS = 0x20;
