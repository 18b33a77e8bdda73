// The cookie that an answer sets, as a browser sends it back.
export const cookieOf = (headers: Readonly<Record<string, unknown>>): string =>
  String(headers['set-cookie'] ?? '').split(';')[0] ?? ''
