/** Where the kernels of tests are for the rest of the world. */
export const publicUrl = 'http://localhost:3000'
