// Made once and never changed: boards carry these texts in their flash. A key is the SHA-256 of the sentence that its comment gives, in base64.
#include "broker/well_known.h"

namespace nearhub::broker {

// "nearhub well-known primary key"
const char* const kWellKnownPrimaryKey = "GliSdu6YkmFD4ujYycKGEgAuEd7xKlsSDuO0v0TuBcc=";
// "nearhub well-known secondary key"
const char* const kWellKnownSecondaryKey = "bPOazhpE3GyXqiO0Fd42/DftlTBwaT6usxtESyXkjRg=";

const char* const kWellKnownCaCertificate =
    R"(-----BEGIN CERTIFICATE-----
MIIDWzCCAkOgAwIBAgIQRPuDz1fXSVZWew+FiCvNsDANBgkqhkiG9w0BAQsFADA2
MTQwMgYDVQQDDCtuZWFyaHViIHdlbGwta25vd24gcm9vdCAocHVibGljLCBmb3Ig
dGVzdHMpMCAXDTI1MTIzMTIzMDAwMFoYDzIxMjUxMjA3MjI1OTU5WjA2MTQwMgYD
VQQDDCtuZWFyaHViIHdlbGwta25vd24gcm9vdCAocHVibGljLCBmb3IgdGVzdHMp
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAryscapgSDQJb4ZjZ1uZn
RaRBAFsHSAEj+K1wdgz3FUmrQv0yR6vZ/9dT99Kgf5SMHwLmzYF4/ybzB+hXoCnR
YpBDkWBOlaXZnT/V4UNZTcSa235M6n8Y/Ulu2r6+1UqEN5aAXZF9NL4VF7uCC/Vb
gbOMOgrx8CT0hcRjtBiYBJMWDk4Mw/pdxFZXY+Osjls8/K3fVbSuXc61M8h1ulya
IXtSLy9bTw8t+Z0ow3iV4wZSxjtp5nCqPuFtHvB9cwWSVScgjvekaH3zmZY0JA3J
vdEs8W3XLac0MtCd9hfG0u2e+MyfyLGcj1r7/eyQDNT61mStGleQTFt+8XiUcWn2
dQIDAQABo2MwYTAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNV
HQ4EFgQUJhuZ5Gs1D24rD0/16nii7T4Tdq4wHwYDVR0jBBgwFoAUJhuZ5Gs1D24r
D0/16nii7T4Tdq4wDQYJKoZIhvcNAQELBQADggEBAB05FyA65uknaIP4TDquXcVh
qYeqW28/z4+jE/ogrvXNj9LJeGxpTKuTkUyM/wVq/Myqikgw36+X7Fna0sAnxQaS
DYpxJRD93VUzD/ueftY5lp/BRefHmVi1ZC5hj52O84r7rDOPqtbyhRB/LVk72SgE
nJdBhdwZiHrDgFpVz0J+wNQ07QAvwwZY08ZcVjR3JgT/g5I3a6w4Yrdxjxx2Zoxm
QDXdnTldLAwOKl9dK8dUY6pgWI1xDluZa+3+Fl2TlaWYqgkGZV6inAq+tDkxD/Be
3oN52sZxszWKtQgG8pvuhBiHHooTEmN9+/bMMuAqVTqCIe+hmmM/Mujaj6JhszQ=
-----END CERTIFICATE-----
)";

const char* const kWellKnownCaKey =
    R"(-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCvKxxqmBINAlvh
mNnW5mdFpEEAWwdIASP4rXB2DPcVSatC/TJHq9n/11P30qB/lIwfAubNgXj/JvMH
6FegKdFikEORYE6VpdmdP9XhQ1lNxJrbfkzqfxj9SW7avr7VSoQ3loBdkX00vhUX
u4IL9VuBs4w6CvHwJPSFxGO0GJgEkxYOTgzD+l3EVldj46yOWzz8rd9VtK5dzrUz
yHW6XJohe1IvL1tPDy35nSjDeJXjBlLGO2nmcKo+4W0e8H1zBZJVJyCO96RoffOZ
ljQkDcm90SzxbdctpzQy0J32F8bS7Z74zJ/IsZyPWvv97JAM1PrWZK0aV5BMW37x
eJRxafZ1AgMBAAECggEAHNzHIV8uNjuJxSnI1wp+wLBYT4UwNXKOqUZ2rdTkD3tk
fzS2CK4tzOR/fumTLYJd9iwluH3ZYH1b9RUY/xh02j84Cuep+ylpKmpexO+ycshu
1bTBWrAXf4COhfeA/Sb6kyg2vXQgA8VAN3lba7oBWmUpuVSdWbrVGYdrAD0/Kx2F
I468alpojh/m8dZ0l0pL0KcMy9nsnQQEv19CgBJckQz67/9j+xDvQyW6oTC7NGX6
4XLvdDSkxJRioAvXyA7Zw5HZSk9APWX5g31/qqGNGTbSwiAOzEwaliUVAfu2IrW0
EuC3jLCgW8wbaQMmLLoEq5HVEXByDvfpCX7ZAfKs7wKBgQDoMdmrILd+5Upb0ShA
/Fc/iX8zw3z2Kp9Wcm+KImKWHODM2pnwuPC5uiJbEMi4kmTwznQpuUW0ofBqCSBh
w4qpfto7yLNGFuqhkO1D/GWdHw08VV3ibhjB1PavGsoLZl17qYSDT21t6r2tdy+g
islNvZuuKyEiHByY4tXXkLD/MwKBgQDBII5RRx3FdONMw5Il48KOZU4YVFA+yTYt
/hiqXiueitHUW7MoRGEWMEKQXrJF9F7IeobaWf7UWMrEj0O+PB5lrhczXALmf/0a
Z/xGvdv7AcqXIPfWA/0vVEUJodUq2UyK5T7IxDlDk/8nBxMPBH0g4TQ7LefLW+ci
nnHv10JTtwKBgQC4jI6eBjXyJNoyGg6tgCL0fBtfEBxtJ7lXI0Nl/ihveWpvR7wc
6VFjvP57dN6kXK7f+qe3VeuCQ0frb2+OZLX8O7fG1qEurx4z5hW++IfnFvwVHSCu
zKTewp6C1H8MCoN4u2Z4W5P1TiMOEXIIXuba5D4tc1g1XTSZi4k9eWJEowKBgQCf
B33ps9PyGtRpC8o25Rv6QbVTF2qUqP+yU8Bf2fe1L76lTXVzvQrtSIQnebL3I8lA
8JRHDUBn/03JGefAqKSnOfnk0umYgOAcdHAqmICiatE2LXGni9Vaudu3mMl95T3A
ShGvJNW6rg23R34MKbgX8RofeSecL2te+HX995WodQKBgCM+gfErgn925/Fd6lPK
fHlkrqaxj+JEgIcCXwaSH6uEXh03uNRZrd7PvQcMBY3npiXhbzoU61u0zWC57Cmg
UnENyV41HuapPQFAzgd6X8QuXCHb1RIunCVnCfYZqhdlh1shIVyxRwU76Voh0XKK
126h2HgNXNdPMKLzFJDZhEpH
-----END PRIVATE KEY-----
)";

const char* const kWellKnownServerRsaKey =
    R"(-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC6VBnc3S5nCAKm
T05qSewij8YcyYTMzFgb9w1p7fQ+fNqBRUT7ApJ8KiZaaWylOtZOza+3lPubg5Q0
8y2slSYA8jdhO5G+oxFEWpOGtzBCMkGXsM5LOfgu87iJ4vivQP96yBKZ0TnVoyqp
0OkclYuOUFfug0dRhVSqkJVL+s1qCUP23ZNQ4+E8QtJ2iCSdFRwgRX6YAAoKFq8Y
DX5BBUfuWb328Xw1YdZpgeM783K+DAvnTBqJPF6N826qdParhikFfXEC8WUxtXTr
1tHKcdVouxHEKrHZIQ3simRWpBNIqabh3esB6hCqgeW08g0u+/M8vOXkcANY1I9a
h5nMyV+BAgMBAAECggEAIQf7tb24FifDYHw6qHkGVXIrarsGwc+P5xU62YaHf/Re
QABppB3mngBS4EBENF5j04B/IApXOFBxG5nohOnD3PMTgjcvNR5vVzC/amhbM8D5
A80iJQ/XwWsPUdJcx6S8JaYGNiJzID5Wt9gDG0Afh1ES5YN8RyVdxwbukJObiqpg
GruZuNze7BLmx3xflwgK6xFPi+m50azx8mlXQ4rEG372jGhnHJuQ3YlLFfpSvxne
jETkFJlN5pp5M0I1peKst4OuZoYxRRoTj5y1AAPDu2bPaEGxicbS1vX2HzoZ8usB
jg3+Uh+N0g0N884AXWZ5iifmznpSGF0xpZs/aCoBKQKBgQDuE2gygqHYGa9HCJA1
JnKAJkhbP+J1wHJwTqUTsD9T1VJIHTXkWd0/0ata+PWx1HMHt7ZQAHJuPrL2cDR9
U/ZwB/IRuQR2jC5Z6Pc2xtroZmCn+vyXO17wXO5mJBUlKaMk/jfMdyYNFeSZBkJw
v59GyndAi8fZmawKSIqr2qjJGwKBgQDIW1WMxuKhPgkaeIURA3ILtmGPHIFnFeMY
xNcgSfPs/y5I3o85ynK1JzFYjOisH9VxhPXPnRMKARBwKzFtIfc6jPtmHXI/Q+2Y
v54PhJu8J4kyf8ew3GrM1I9/VtKYVuJytLmLsyLaVxL3FJNnH8D/z+NZfogn7L3q
Uw8bnWT/kwKBgAN9s1xyP+9MSR6wiHTPEITCivMTl72ESelNrewA/Jy9FwzJqN2l
V7I0399goTGvXNRzJDA+IW9uae9lK8/eqFFyPGF4JhGa8p8M5HsgJVudDLPJ4WRS
UY0Sv8gtpUW7O5IyTB0qbhtpA8YeqmC+3pYKJ/+BTTfqofQwph/o/+qbAoGBAKms
D0rkss/yBSuRnL7HuDELBpt3fG6cLnGvYK9LcXLmt3+mWoyKUZHv2u4uhmwdmVhF
TRXA43q5Y/5Z1cWh2giPk+bqUPIayH9u5qAloO06XgmSBL5WK2vDJrKkCDxSd/rD
6c3QqldVHg54MkxGq973YoVLjmqhJkPmiwjLxdhZAoGBAJpRX6Kg6J1lCXikOViq
LxlQstRVSY84IpCYEJfjogA49buYWS2zYKNPcvnDaql3Bp5SiAIOrkxRpahdCOlg
RAmX/f81a7Qg0aihadRmi0J/QIJFNqBwNveFWF8rWusrXZ0Ah/KoEEgdVardEoaq
KHQe3gEHWj+XZOCHtelulJd5
-----END PRIVATE KEY-----
)";

const char* const kWellKnownServerEcKey =
    R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxlNIs+mZML8YVCMU
2DTiV2Xl/xLVM+W8yKHHd6/WNaChRANCAAQafnjlrx66VkjT3fBJ9LpoA8Vym1qp
AYE2Xb33HCAZykV1Z3fqd0MY5I2S355YjcpA4iBtpyRyeUqkX80xBuqt
-----END PRIVATE KEY-----
)";

std::vector<auth::AccessPolicy> well_known_policies() {
  // "nearhub well-known policy NAME primary" and "... secondary".
  return {
      {"iothubowner", "uRtCbbgkEdoyCon2f/cPHsylmEgxLUGKmgO46i7QJ+I=", "eACKBURNaRRk25G3LFIQFo3TE4xDqlq5uj1G6Sna3O4=",
       auth::Right::kRegistryWrite | auth::Right::kServiceConnect | auth::Right::kDeviceConnect},
      {"service", "S+4R0lNOn0tCnGAllbHFD9CMbK2+gwb8zBCvQ7J2whg=", "2zQp2B4kAOhgrE4q5rMVTHQBLKAC781s1B62YnY3x5s=",
       auth::Right::kServiceConnect},
      {"device", "4LPS49q4CrcEuiBjHwTmF6Kuy/KW8JAzVJ6ZL0C+Axo=", "0Rv86kmQK+BlTdcyM1JzEAJ7ejqyxtoTNhzGhviW9x4=",
       auth::Right::kDeviceConnect},
      {"registryRead", "ciKpckHai2DVOHu250cP+D4KawLOFcXpKVP+UBCTl1o=", "Mu7milskoDWfa092zsec5CCcUrgPJi9WaNdUNWfoyS0=",
       auth::Right::kRegistryRead},
      {"registryReadWrite", "4Yep7zz3ifg5zIz82+j1ptTYau4/vpZuSsAxEH6IULU=", "Qsot5UK/8zxfSKLH65KFzVaVKSTSvt7DXtcfss5WGLQ=",
       auth::Right::kRegistryWrite},
  };
}

}  // namespace nearhub::broker
