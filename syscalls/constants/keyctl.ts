/** Keyrings (linux/keyctl.h). */
export const KEYCTL_JOIN_SESSION_KEYRING = 1;
export const KEYCTL_SETPERM = 5;
export const KEYCTL_DESCRIBE = 6;
export const KEYCTL_REVOKE = 3;
export const KEYCTL_UNLINK = 9;
export const KEYCTL_GET_KEYRING_ID = 0;
