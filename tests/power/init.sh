#!/bin/busybox sh
# The first program of the virtual machine: it finds the disk and the network, and runs the server.

/bin/busybox --install -s /bin
export PATH=/bin

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do
    insmod "/modules/$module" || echo "the module $module cannot be loaded"
done < /modules/order

ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up

if mount -t ext4 /dev/vda /disk; then
    hitl serve --insecure --listen 0.0.0.0:4485 --data-dir /disk --store "$HITL_TEST_STORE_SPEC"
    echo "the server ended with status $?"
else
    echo "the disk cannot be mounted"
fi
poweroff -f
