"""The console: pages for finance staff, rendered on the server, without JavaScript or anything from other sites."""
