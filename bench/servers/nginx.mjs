// nginx with the valid keys in a `map`: the least that a program in front of an API can do. It has no expiry, rate limit, or usage.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function configure(folder, port, keys) {
  mkdirSync(folder, { recursive: true });
  const good = keys.filter((key) => key.verdict === 'valid');
  writeFileSync(join(folder, 'keys.map'), good.map((key) => `"${key.secret}" 1;\n`).join(''), { mode: 0o600 });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const size = 2 ** Math.ceil(Math.log2(good.length * 2 + 1024));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  tcp_nodelay on;
  ${temporary.join('\n  ')}
  map_hash_max_size ${size};
  map_hash_bucket_size 128;
  map $http_x_api_key $good { default 0; include ${folder}/keys.map; }
  server {
    listen 127.0.0.1:${port};
    location = /auth {
      if ($good) { return 204; }
      return 401 "";
    }
  }
}
`);
  return ['nginx', '-c', file, '-e', 'stderr'];
}
