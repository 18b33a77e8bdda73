// Capability: HTTPS to the hosts named under `needs.http`, and to no others.

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  text(): Promise<string>
  json(): Promise<unknown>
}

export interface HttpCapability {
  readonly http: {
    /** Redirects are not followed, and a host outside `needs.http` is refused. */
    fetch(url: string, request?: HttpRequest): Promise<HttpResponse>
  }
}
