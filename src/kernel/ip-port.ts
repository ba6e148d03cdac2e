import { isIP } from 'node:net'

/** An IP address, without brackets, and a port from 1 to 65535. */
export interface IpPort {
  readonly ip: string
  readonly port: number
}

/** @returns undefined unless the text is `ip:port`, with IPv6 in brackets; host names are not accepted. */
export function parseIpPort(text: string): IpPort | undefined {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const isAddress = bracketed === undefined ? isIP(plain) === 4 : isIP(bracketed) === 6
  const port = Number(digits)
  return isAddress && port >= 1 && port <= 65_535 ? { ip: bracketed ?? plain, port } : undefined
}
