// Another site than the server's: files on another port of this machine.
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface File {
  readonly type: string;
  readonly body: string;
}

export class Elsewhere {
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  readonly #http: HttpServer;

  private constructor(files: Readonly<Record<string, File>>) {
    this.#http = createServer((request, response) => {
      const path = request.url ?? '/';
      const file = files[path];
      this.asked.push(path);
      response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain', 'access-control-allow-origin': '*' });
      response.end(file?.body);
    });
  }

  static async start(files: Readonly<Record<string, File>>): Promise<Elsewhere> {
    const site = new Elsewhere(files);
    await new Promise<void>((listening) => site.#http.listen(0, '127.0.0.1', listening));
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((closed) => this.#http.close(closed));
  }
}
