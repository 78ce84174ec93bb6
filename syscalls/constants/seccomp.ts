/** seccomp(2): linux/seccomp.h, and what libseccomp's seccomp.h adds. */
export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_FILTER_FLAG_TSYNC = 1;
export const SECCOMP_FILTER_FLAG_LOG = 2;
export const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;
export const SECCOMP_RET_KILL_PROCESS = 0x80000000;
export const SECCOMP_RET_KILL_THREAD = 0;
export const SECCOMP_RET_TRAP = 0x00030000;
export const SECCOMP_RET_ERRNO = 0x00050000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc00000;
export const SECCOMP_RET_TRACE = 0x7ff00000;
export const SECCOMP_RET_LOG = 0x7ffc0000;
export const SECCOMP_RET_ALLOW = 0x7fff0000;
/** The part of a return value that is not data. */
export const SECCOMP_RET_ACTION = 0x7fff0000;
/** linux/bpf_common.h: BPF_MAXINSNS, the most instructions that the kernel takes. */
export const BPF_MAXINSNS = 4096;
/** seccomp.h of libseccomp: no architecture has a system call of this name. */
export const __NR_SCMP_ERROR = -1;
/** enum scmp_compare. */
export const SCMP_CMP_NE = 1;
export const SCMP_CMP_LT = 2;
export const SCMP_CMP_LE = 3;
export const SCMP_CMP_EQ = 4;
export const SCMP_CMP_GE = 5;
export const SCMP_CMP_GT = 6;
export const SCMP_CMP_MASKED_EQ = 7;
/** linux/audit.h: the machine that made a call, as seccomp_data.arch has it. */
export const AUDIT_ARCH_X86_64 = 0xc000003e;
/** asm/unistd.h: set in the numbers of calls of the x32 ABI. */
export const __X32_SYSCALL_BIT = 0x40000000;
