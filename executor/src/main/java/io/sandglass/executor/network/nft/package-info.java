/**
 * The kernel's packet filter as a {@link io.sandglass.executor.network.Firewall}: one nftables
 * table of this node's own, changed by {@code nft} in transactions, and {@code conntrack} to forget
 * connections. The only package that starts other programs.
 */
package io.sandglass.executor.network.nft;
