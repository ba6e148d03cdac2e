import { isIP } from 'node:net'

/** `http://ip:port`, with an IPv6 address in brackets. */
export function originOf(axon: { readonly ip: string; readonly port: number }): string {
  return isIP(axon.ip) === 6 ? `http://[${axon.ip}]:${axon.port}` : `http://${axon.ip}:${axon.port}`
}
