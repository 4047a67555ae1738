"""A bare grpc.aio echo in a process of its own: the ceiling of any unary call on this machine. Prints its port.

On asyncio's own event loop, as the library comes; with the argument `uvloop` on the loop that our services run on.
"""

import asyncio
import sys

import grpc
import uvloop


async def _echo(request: bytes, _context: object) -> bytes:
    return request


async def serve() -> None:
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_echo)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    if sys.argv[1:] == ["uvloop"]:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve())
