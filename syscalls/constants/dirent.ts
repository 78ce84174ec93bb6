/** Types of directory entries (dirent.h). */
export const DT_DIR = 4;
