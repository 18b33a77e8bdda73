// The host names of the hunt: a subdomain for each tenant, and a domain of its own that counts as verified.

export const baseDomain = 'plinth.example'

export const ownDomainOf = (slug: string): string => `erp.${slug}.com`
