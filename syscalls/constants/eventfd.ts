/** eventfd(2) (sys/eventfd.h). */
export const EFD_CLOEXEC = 0x80000;
export const EFD_NONBLOCK = 0x800;
