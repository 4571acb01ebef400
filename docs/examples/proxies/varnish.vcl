# For /etc/varnish/default.vcl, with: varnishd -a :8080 -f /etc/varnish/default.vcl -p pipe_timeout=60
vcl 4.1;

backend app {
  .host = "127.0.0.1";
  .port = "3000";
}

sub vcl_recv {
  # Without this varnish takes from the app whatever it gives, also for a client that does not read.
  if (req.http.Accept ~ "text/event-stream" || req.url ~ "[?&]lastEventId=") {
    return (pipe);
  }
}

sub vcl_backend_response {
  # It would hold a page with deferred parts back, which has X-Accel-Buffering.
  if (beresp.http.Content-Type ~ "^(text/(html|css|javascript)|application/json)" && !beresp.http.X-Accel-Buffering) {
    set beresp.do_gzip = true;
  }
}
