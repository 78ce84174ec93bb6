/** Major numbers of devices (linux/major.h, Documentation/admin-guide/devices.txt). */
export const MEM_MAJOR = 1;
export const TTYAUX_MAJOR = 5;
export const UNIX98_PTY_MAJOR_COUNT = 8;
export const UNIX98_PTY_SLAVE_MAJOR = 136;
