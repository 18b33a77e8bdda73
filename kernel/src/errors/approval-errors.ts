// The rows of errors.ts on approvals.
import { defineError } from '../plinth-error.ts'

export const approvalErrors = {
  approvalChainMissing: defineError<{ action: string }>(
    'APPROVAL_CHAIN_MISSING',
    409,
    'info',
    (d) => `'${d.action}' needs an approval, and the tenant has no chain that fits.`,
  ),
  approvalNobody: defineError<{ step: string }>(
    'APPROVAL_NOBODY',
    409,
    'info',
    (d) => `At the step '${d.step}' there are too few people who could approve, without whoever asks.`,
  ),
  approvalPending: defineError<{ entity: string; id: string }>(
    'APPROVAL_PENDING',
    409,
    'info',
    (d) => `An approval for the ${d.entity} '${d.id}' is under way already.`,
  ),
  approvalNotFound: defineError<{ id: string }>(
    'APPROVAL_NOT_FOUND',
    404,
    'info',
    (d) => `There is no approval '${d.id}'.`,
  ),
  approvalEnded: defineError<{ id: string; state: string }>(
    'APPROVAL_ENDED',
    409,
    'info',
    (d) => `The approval '${d.id}' is ${d.state}, and nobody decides on it any more.`,
  ),
  approvalOutdated: defineError<{ id: string }>(
    'APPROVAL_OUTDATED',
    409,
    'info',
    (d) => `The record has changed since the approval '${d.id}' was requested. It has to be requested again.`,
  ),
  approvalNotYours: defineError<{ id: string }>(
    'APPROVAL_NOT_YOURS',
    403,
    'info',
    (d) => `The approval '${d.id}' does not wait for you.`,
  ),
  approvalOwn: defineError<{ id: string }>(
    'APPROVAL_OWN',
    403,
    'info',
    () => 'Nobody decides on what he has requested himself, nor does who stands in for him.',
  ),
  approvalDecided: defineError<{ id: string }>(
    'APPROVAL_DECIDED',
    409,
    'info',
    () => 'You have agreed at this step already. It takes another person.',
  ),
}
