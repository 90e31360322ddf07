// Stands between a browser and the server and counts what goes over the wire to the browser, file by file.
import { createServer, type IncomingMessage, request, type Server as HttpServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export class Counter {
  /** Bytes of bodies and headers as they were sent, by path. */
  readonly bytes = new Map<string, number>();
  /** How bodies were encoded, by path. */
  readonly encodings = new Map<string, string | undefined>();
  readonly #http: HttpServer;
  readonly #sockets = new Set<Socket>();

  /** `encoding` is all that the browser is said to take. */
  private constructor(
    readonly target: URL,
    readonly encoding: string,
  ) {
    this.#http = createServer((asked, answer) => this.#pass(asked, answer));
    this.#http.on('connection', (socket) => this.#own(socket));
    this.#http.on('upgrade', (asked: IncomingMessage, socket: Socket, head: Buffer) => this.#upgrade(asked, socket, head));
  }

  static async start(target: string, encoding: string): Promise<Counter> {
    const counter = new Counter(new URL(target), encoding);
    await new Promise<void>((listening) => counter.#http.listen(0, '127.0.0.1', listening));
    return counter;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  get total(): number {
    return [...this.bytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The files, largest first. */
  get list(): string {
    const rows = [...this.bytes].sort(([, a], [, b]) => b - a);
    return rows.map(([path, bytes]) => `${String(bytes).padStart(8)} ${path} ${this.encodings.get(path) ?? ''}`).join('\n');
  }

  async stop(): Promise<void> {
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((closed) => this.#http.close(closed));
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #count(path: string, bytes: number): void {
    this.bytes.set(path, (this.bytes.get(path) ?? 0) + bytes);
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { host: _, ...headers } = asked.headers;
    const path = asked.url ?? '/';
    const passed = { method: asked.method, headers: { ...headers, 'accept-encoding': this.encoding } };
    const onward = request(new URL(path, this.target), passed, (got) => {
      this.encodings.set(path, got.headers['content-encoding']);
      this.#count(path, got.rawHeaders.join('').length);
      got.on('data', (part: Buffer) => this.#count(path, part.length));
      answer.writeHead(got.statusCode ?? 502, got.rawHeaders);
      got.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  }

  /** A WebSocket: passed on byte by byte. */
  #upgrade(asked: IncomingMessage, socket: Socket, head: Buffer): void {
    const path = asked.url ?? '/';
    const onward = connect(Number(this.target.port), this.target.hostname);
    this.#own(onward);
    const lines = [`GET ${path} HTTP/1.1`];
    for (let index = 0; index < asked.rawHeaders.length; index += 2) {
      const [name = '', value = ''] = asked.rawHeaders.slice(index, index + 2);
      const here = (text: string): string => text.replace(this.url, this.target.origin).replace(new URL(this.url).host, this.target.host);
      lines.push(`${name}: ${here(value)}`);
    }
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    onward.on('data', (part) => this.#count(path, part.length));
    onward.pipe(socket).pipe(onward);
  }
}
