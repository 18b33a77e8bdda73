/**
 * Who has it dispatches events, or says who is to get them: one at a time over all processes, so that none is between the
 * two. An advisory lock, held by a transaction.
 */
export const dispatchLock = 0x706c_6576
