/** Terminal and namespace requests (asm/ioctls.h, linux/nsfs.h). */
export const TIOCSCTTY = 0x540e;
export const TIOCGPTN = 0x80045430;
export const TIOCSPTLCK = 0x40045431;
export const TIOCGPTPEER = 0x5441;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCSETSW = 0x5403;
export const FIONREAD = 0x541b;
export const NS_GET_NSTYPE = 0xb703;
export const NS_GET_USERNS = 0xb701;
export const NS_GET_PARENT = 0xb702;
